import { HostRandomStream, hostArray } from '@flow-matching/core';
import { linearAssignment } from '/work/main/packages/plugins/src/transport/linearAssignment.ts';
import { squaredDistances } from '/work/main/packages/plugins/src/transport/squaredDistances.ts';
const eight=(s:HostRandomStream,n:number)=>{const z=s.normal([n,2],.56).data,u=s.uniform([n]).data;for(let i=0;i<n;i++){const a=Math.floor(u[i]*8)*Math.PI/4;z[2*i]+=5*Math.cos(a);z[2*i+1]+=5*Math.sin(a)}return hostArray(z,[n,2])};
const moons=(s:HostRandomStream,n:number)=>{const u=s.uniform([n]).data,w=s.uniform([n],0,.2).data,z=new Float32Array(2*n);for(let i=0;i<n;i++){const k=i%2,a=Math.PI*u[i];z[2*i]=3*((k?1-Math.cos(a):Math.cos(a))+w[i])-1;z[2*i+1]=3*((k?.5-Math.sin(a):Math.sin(a))+w[i])-1}return hostArray(z,[n,2])};
const normal=(s:HostRandomStream,n:number)=>s.normal([n,2]);
const highd=(d:number)=>(s:HostRandomStream,n:number)=>s.normal([n,d]);
let lsa:any; try{lsa=await import('/tmp/lap/node_modules/linear-sum-assignment/lib/index.js')}catch{}
for(const [name,a,b] of [['N-8g',normal,eight],['moons-8g',moons,eight],['N-moons',normal,moons],['N-N 3072d',highd(3072),highd(3072)]] as const) for(const n of [256,512,1024]){
  const times:number[]=[],dist:number[]=[];
  const reps=n===1024?5:15;
  let check='';
  for(let r=0;r<reps;r++){const s=new HostRandomStream(r);const x=a(s,n),y=b(s,n);const t0=performance.now();const c=squaredDistances(x,y);const t1=performance.now();const s1=linearAssignment(c);const t2=performance.now();times.push(t2-t0);dist.push(t1-t0);
   if(r===0){let worst=0,gap=0;for(let i=0;i<n;i++){const row=c.row(i);for(let j=0;j<n;j++)worst=Math.min(worst,row[j]-s1.rowPotentials[i]-s1.columnPotentials[j]);gap+=s1.rowPotentials[i]+s1.columnPotentials[i]} check=`dual slack ${worst.toExponential(1)} gap ${(s1.cost-gap).toExponential(1)}`;
    if(lsa&&n<=512){const m=Array.from({length:n},(_,i)=>Array.from(c.row(i)));const t=performance.now();const g=lsa.linearSumAssignment(m,{maximaze:false});check+=` | npm linear-sum-assignment ${(performance.now()-t).toFixed(1)}ms gain diff ${(g.gain-s1.cost).toExponential(1)}`}}
  }
  times.sort((p,q)=>p-q);dist.sort((p,q)=>p-q);
  console.log(name,n,'median',times[reps>>1].toFixed(2),'max',times.at(-1)!.toFixed(2),'of which distances',dist[reps>>1].toFixed(2),check);
}

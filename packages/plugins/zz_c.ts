import { HostRandomStream } from '@flow-matching/core';
import { eightGaussians, moons, optimalTransportCoupling, schrodingerBridgeCoupling, sinkhorn } from './src/index.ts';
const cpu=()=>{const u=process.cpuUsage();return (u.user+u.system)/1000};
for (const [name,c] of [['ot',optimalTransportCoupling()],['sinkhorn',sinkhorn()],['sb 1',schrodingerBridgeCoupling({sigma:1})],['sb 3',schrodingerBridgeCoupling({sigma:3})],['sb .1',schrodingerBridgeCoupling({sigma:.1})]] as const) for (const n of [256,1024]) {
  const t:number[]=[]; const R=n>300?5:25;
  for(let s=0;s<R;s++){const x1=await eightGaussians().batch({index:s,size:n,seed:1}); const x0=(await moons().batch({index:s,size:n,seed:2})).x1; const random=new HostRandomStream(1,0,s); const b=cpu(); c.pair!({x0,x1:x1.x1,random}); t.push(cpu()-b);}
  t.sort((a,b)=>a-b); console.log(name,n,'cpu ms lower quartile',t[R>>2].toFixed(1),'median',t[R>>1].toFixed(1));
}
